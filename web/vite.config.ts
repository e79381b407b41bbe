import { createHash } from "node:crypto";
import type { Plugin } from "vite";
import { defineConfig } from "vite";

const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

/** Style and script go into the page itself; the page allows these two and nothing else, and asks only whom `connect` says. */
function oneFile(connect: string): Plugin {
  return {
    name: "one-file",
    enforce: "post",
    generateBundle(_options, bundle) {
      let page: { source: string | Uint8Array } | undefined;
      let script = "";
      let style = "";
      for (const [name, part] of Object.entries(bundle)) {
        if (part.type === "chunk") script += part.code;
        else if (name.endsWith(".css")) style += String(part.source);
        else if (name.endsWith(".html")) page = part;
        else this.error(`${name} would be a file beside the page`);
        if (!name.endsWith(".html")) delete bundle[name];
      }
      if (!page) this.error("no page was built");
      if (/<\/script|<!--/i.test(script)) this.error("the script holds a text that would end it");
      script = script.trim();
      style = style.trim();
      const policy =
        `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; ` +
        `img-src data:;${connect} base-uri 'none'; form-action 'none'`;
      page.source = String(page.source)
        .replace(/\s*<script type="module"[^>]*><\/script>/, "")
        .replace(/\s*<link rel="stylesheet"[^>]*>/, "")
        .replace("{{policy}}", () => policy)
        .replace("<!--style-->", () => `<style>${style}</style>`)
        .replace("<!--script-->", () => `<script>${script}</script>`);
    },
  };
}

/** One page a build: `vite build` makes the report, `vite build --mode dashboard` the gateway's page. */
export default defineConfig(({ mode }) => {
  const dashboard = mode === "dashboard";
  return {
    plugins: [oneFile(dashboard ? " connect-src 'self';" : "")],
    build: {
      target: "es2022",
      modulePreload: false,
      cssCodeSplit: false,
      assetsInlineLimit: 0,
      emptyOutDir: false,
      rollupOptions: { input: dashboard ? "dashboard.html" : "report.html", output: { format: "iife" as const } },
    },
  };
});
