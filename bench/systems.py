"""The systems that are measured, and the two fake upstreams behind them: how each is started and spoken to.

Adding one is adding a function to `STARTERS`. None is changed in its behaviour for the sake of a figure.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench import bodies, process
from bench.load import LOAD_CORE, Ask
from bench.process import Running

CORE = 0
"""The core of what is measured."""

ORIGINAL = "@portkey-ai/gateway"
ORIGINAL_VERSION = "1.15.2"

_KEY = "bench-admin-key-000000000000000000000000"
_BIN = Path(sys.executable).parent
_NODE = _BIN.parent / "bench-node"

_NGINX = """\
daemon off;
pid {scratch}/{name}.pid;
worker_processes 1;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {scratch}/{name}-body;
  proxy_temp_path {scratch}/{name}-proxy;
  fastcgi_temp_path {scratch}/{name}-fastcgi;
  uwsgi_temp_path {scratch}/{name}-uwsgi;
  scgi_temp_path {scratch}/{name}-scgi;
{body}
}}
"""
_ANSWERS = """\
  server {{
    listen 127.0.0.1:{port};
    default_type application/json;
    location = /health {{ return 200 'ok'; }}
    location = /v1/completions {{ return 200 '{completion}'; }}
    location = /v1/chat/completions {{ return 200 '{chat}'; }}
  }}
"""
_PROXY = """\
  upstream plain {{ server 127.0.0.1:{plain}; keepalive 64; keepalive_requests 1000000000; }}
  upstream streams {{ server 127.0.0.1:{streams}; keepalive 64; keepalive_requests 1000000000; }}
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  server {{
    listen 127.0.0.1:{port};
    location = /health {{ return 200 'ok'; }}
    location /v1/ {{ proxy_pass http://plain; }}
    location /paced/ {{ proxy_pass http://streams; proxy_buffering off; }}
    location /burst/ {{ proxy_pass http://streams; proxy_buffering off; }}
  }}
"""


@dataclass(frozen=True, slots=True)
class Upstreams:
    """The fake providers: `plain` answers at once, `streams` sends 64 events."""

    plain: Running
    streams: Running

    def of(self, prefix: str) -> Running:
        """The one that serves `prefix` ("", "/paced" or "/burst")."""
        return self.streams if prefix else self.plain

    def stop(self) -> None:
        self.plain.stop()
        self.streams.stop()


@dataclass(frozen=True, slots=True)
class System:
    """Something that is measured. `gateway`: it picks the upstream by request headers, and not by path."""

    name: str
    version: str
    running: Running
    gateway: bool = True

    def ask(self, upstreams: Upstreams, prefix: str, path: str, body: bytes) -> Ask:
        """The request that makes this system fetch `path` below `prefix` of the upstreams."""
        headers = {"Content-Type": "application/json", "Authorization": "Bearer sk-test"}
        if not self.gateway:
            return Ask(prefix + path, headers, body)
        host = f"http://127.0.0.1:{upstreams.of(prefix).port}{prefix}/v1"
        portkey = {"x-portkey-api-key": _KEY, "x-portkey-provider": "openai", "x-portkey-custom-host": host}
        return Ask(path, headers | portkey, body)


def upstreams(scratch: Path) -> Upstreams:
    """Start both fake providers on the core of the load."""
    port = process.free_port()
    body = _ANSWERS.format(port=port, completion=bodies.COMPLETION_ANSWER.decode(), chat=bodies.CHAT_ANSWER.decode())
    plain = _nginx("upstream", body, port, scratch, LOAD_CORE)
    port = process.free_port()
    command = [sys.executable, "-m", "bench.streams", str(port)]
    return Upstreams(plain, process.start(command, port, scratch / "streams.log", core=LOAD_CORE, health="/burst/"))


def nginx(upstreams: Upstreams, scratch: Path) -> System:
    """nginx as a plain reverse proxy: one worker, pooled connections, nothing buffered in a stream."""
    port = process.free_port()
    body = _PROXY.format(port=port, plain=upstreams.plain.port, streams=upstreams.streams.port)
    return System("nginx", _said("nginx", "-v"), _nginx("proxy", body, port, scratch, CORE), gateway=False)


def gatekey(_: Upstreams, scratch: Path) -> System:
    """Gatekey as it is served: one worker, a fresh data folder."""
    port, data = process.free_port(), scratch / "gatekey"
    serve = ["serve", "--host", "127.0.0.1", "--port", str(port), "--data", str(data), "--workers", "1"]
    env = {"GATEKEY_ADMIN_KEY": _KEY}
    running = process.start([str(_BIN / "gatekey"), *serve], port, scratch / "gatekey.log", core=CORE, env=env)
    return System("gatekey", _said(str(_BIN / "gatekey"), "--version"), running)


def original(_: Upstreams, scratch: Path) -> System:
    """The TypeScript gateway from npm, installed beside the virtual environment on the first use."""
    script = _NODE / "node_modules" / ORIGINAL / "build" / "start-server.js"
    if not script.exists():
        package = f"{ORIGINAL}@{ORIGINAL_VERSION}"
        command = ["npm", "install", "--prefix", str(_NODE), "--no-audit", "--no-fund", "--ignore-scripts", package]
        subprocess.run(command, check=True, timeout=300, capture_output=True)
    port = process.free_port()
    command = ["node", str(script), f"--port={port}", "--headless"]
    env = {"NODE_ENV": "production"}
    running = process.start(command, port, scratch / "original.log", core=CORE, health="/", env=env)
    return System("original", f"{ORIGINAL_VERSION} on node {_said('node', '--version')}", running)


STARTERS: dict[str, Callable[[Upstreams, Path], System]] = {"nginx": nginx, "gatekey": gatekey, "original": original}


def peer(name: str, command: str, scratch: Path) -> System:
    """Any other gateway that takes the same headers; `{port}` in its command is where it has to listen."""
    port = process.free_port()
    words = command.replace("{port}", str(port)).split()
    return System(name, "", process.start(words, port, scratch / f"{name}.log", core=CORE))


def missing(tools: list[str]) -> list[str]:
    """Those of the tools that are not on the PATH."""
    return [tool for tool in tools if shutil.which(tool) is None]


def _nginx(name: str, body: str, port: int, scratch: Path, core: int) -> Running:
    config = scratch / f"{name}.conf"
    config.write_text(_NGINX.format(scratch=scratch, name=name, body=body))
    command = ["nginx", "-p", str(scratch), "-c", str(config), "-e", "stderr"]
    return process.start(command, port, scratch / f"{name}.log", core=core)


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env={**os.environ})
    return (done.stdout + done.stderr).strip().removeprefix("nginx version: nginx/").removeprefix("gatekey ")
