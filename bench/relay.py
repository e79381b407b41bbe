#!/usr/bin/env python3
"""What the relay costs beside nginx as a plain proxy, in one run.

One upstream that answers at once, one load program, both proxies with one worker and kept connections on both
sides. Rounds alternate between the two; each figure is the median of the rounds. The processor time is that of
the proxy's process alone (/proc/PID/stat). Loopback only.

    cmake --build --preset bench --target bench_relay_proxy bench_relay_peer && bench/relay.py --build build/bench
"""

import argparse
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile

TICK = os.sysconf("SC_CLK_TCK")

NGINX = """
daemon off; master_process off; worker_processes 1; pid {dir}/pid; error_log {dir}/error.log;
events {{ worker_connections 16384; }}
http {{
  access_log off; tcp_nodelay on; keepalive_requests 1000000000;
  client_body_temp_path {dir}/a; proxy_temp_path {dir}/b; fastcgi_temp_path {dir}/c; uwsgi_temp_path {dir}/d;
  scgi_temp_path {dir}/e;
  upstream up {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://up; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_buffering off; }}
  }}
}}
"""


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def resident_mb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Bench:
    def __init__(self, args, folder):
        self.build, self.args = pathlib.Path(args.build), args
        self.running = []
        self.upstream = self.port_of(self.start([self.build / "bench_relay_peer", "upstream"]))
        punie = self.start([self.build / "bench_relay_proxy", str(self.upstream)])
        self.proxies = {"punie": (punie.pid, self.port_of(punie))}
        if args.punie:
            config = pathlib.Path(folder) / "punie.yaml"
            config.write_text(f"models:\n  m:\n    upstream:\n      url: http://127.0.0.1:{self.upstream}\n    parallel: 1024\n")
            command = [args.punie, "serve", config, "--port", "0", "--json"]
            gateway = self.start(command, stderr=subprocess.DEVNULL, env={**os.environ, "PUNIE_CONTROL_SOCKET": f"{folder}/s"})
            url = json.loads(gateway.stdout.readline())["url"]
            self.proxies["gateway"] = (gateway.pid, int(url.rsplit(":", 1)[1]))
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if nginx:
            port = free_port()
            config = pathlib.Path(folder) / "nginx.conf"
            config.write_text(NGINX.format(dir=folder, upstream=self.upstream, port=port))
            self.proxies["nginx"] = (self.start([nginx, "-c", str(config)]).pid, port)
            self.wait_until_answers(port)
        else:
            print("nginx is not installed (Debian: nginx-light): the relay alone", file=sys.stderr)

    def start(self, command, **more):
        child = subprocess.Popen([str(part) for part in command], stdout=subprocess.PIPE, text=True, **more)
        self.running.append(child)
        return child

    @staticmethod
    def port_of(child):
        return int(child.stdout.readline())

    def wait_until_answers(self, port):
        import socket

        for _ in range(1000):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
        raise SystemExit("nginx does not answer")

    def load(self, name, connections, requests, path):
        """Microseconds of the proxy's processor a request, requests a second, p99 in microseconds."""
        pid, port = self.proxies[name]
        before = cpu_seconds(pid)
        path = f"/v1{path}" if name == "gateway" else path
        command = [self.build / "bench_relay_peer", "load", port, connections, requests, path]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120)
        if done.returncode != 0:
            raise SystemExit(f"{name}: {done.stderr}")
        count, seconds, _, p99 = done.stdout.split()
        return (cpu_seconds(pid) - before) / int(count) * 1e6, int(count) / float(seconds), float(p99)

    def row(self, title, connections, requests, path, units=1):
        figures = {name: [] for name in self.proxies}
        for _ in range(self.args.rounds):
            for name in self.proxies:
                figures[name].append(self.load(name, connections, requests, path))
        medians = {name: [statistics.median(column) for column in zip(*rows)] for name, rows in figures.items()}
        cells = [f"{medians[name][0] / units:.1f} µs, {medians[name][1]:.0f}/s, p99 {medians[name][2]:.0f} µs"
                 for name in self.proxies]
        ratios = []
        for name in medians.keys() - {"nginx"} if "nginx" in medians else ():
            cpu = medians[name][0] / medians["nginx"][0]
            p99 = medians[name][2] / medians["nginx"][2]
            ratios.append(f"{name}: CPU {cpu:.2f}, p99 {p99:.2f}")
        ratio = "; ".join(sorted(ratios))
        print(f"| {title} | {' | '.join(cells)} | {ratio} |", flush=True)

    def idle(self, connections):
        for name, (pid, port) in self.proxies.items():
            before = resident_mb(pid)
            command = [str(part) for part in (self.build / "bench_relay_peer", "idle", port, connections)]
            holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            self.running.append(holder)
            holder.stdout.readline()
            self.load(name, 1, 100, "/small")  # behind all of them in the queue: they were accepted
            print(f"{connections} idle connections, {name}: {before:.1f} MB -> {resident_mb(pid):.1f} MB", flush=True)
            holder.stdin.close()
            holder.wait()

    def close(self):
        for child in self.running:
            if child.poll() is None:
                child.terminate()
                child.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", default="build/bench")
    parser.add_argument("--punie", help="also `punie serve` with a configuration, as a third proxy: routes, keys, metrics and all")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--requests", type=int, default=40_000)
    parser.add_argument("--idle", type=int, default=10_000)
    args = parser.parse_args()
    import resource

    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(args, folder)
        try:
            print(f"| what | {' | '.join(bench.proxies)} | punie to nginx |")
            print("|---" * (2 + len(bench.proxies)) + "|")
            for connections in (1, 64, 256):
                bench.row(f"small, {connections} connections", connections, args.requests, "/small")
            for connections in (1, 64, 256):
                streams = max(connections, 200)
                bench.row(f"SSE, {connections} streams, a chunk", connections, streams, "/sse/500", units=500)
            bench.idle(args.idle)
        finally:
            bench.close()


if __name__ == "__main__":
    main()
