"""Terminal coding agents, headless and without a login: each writes a file by one call of its shell tool, which the server makes
as OpenAI does, and as a model whose server left the call in the text."""

import platform
import tempfile
import unittest
from pathlib import Path

import support

SECONDS = 120
QUIET = {"DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}


class Agents(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not support.NODE_MODULES:
            raise unittest.SkipTest("Node 20 and npm are needed")
        cls.gateway = cls.enterClassContext(support.Gateway())

    def check(self, command: list, env: dict):
        for script in ("agent", "text_agent"):
            with self.subTest(script=script), tempfile.TemporaryDirectory() as folder:
                home, work = Path(folder, "home"), Path(folder, "work")
                home.mkdir()
                work.mkdir()
                arguments = [*command, "-p", f"script:{script} write the file"]
                done = support.run_program(arguments, {**support.environment(home), **env}, work, SECONDS)
                told = f"{done.stdout}\n{done.stderr}\n{self.gateway.log()}"
                self.assertEqual(done.returncode, 0, told)
                self.assertIn("The tool says:", done.stdout, told)
                self.assertTrue((work / "made.txt").is_file(), told)
                self.assertEqual((work / "made.txt").read_text(), "made by the agent\n")

    def test_qwen_code(self):
        """Speaks OpenAI's chat completions."""
        program = support.NODE_MODULES / ".bin/qwen"
        env = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": f"{self.gateway.url}/v1", "OPENAI_MODEL": "fake"}
        self.check([program, "--yolo", "--auth-type", "openai"], env)

    def test_claude_code(self):
        """Speaks Anthropic's messages only."""
        system = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
        package = f"@anthropic-ai/claude-code-{platform.system().lower()}-{system}"
        program = support.NODE_MODULES / package / "claude"
        if not program.is_file():
            self.skipTest(f"{package} is not installed")
        env = {"ANTHROPIC_API_KEY": "none", "ANTHROPIC_BASE_URL": self.gateway.url, **QUIET}
        self.check([program, "--model", "fake", "--allowedTools", "Bash"], env)
