"""The systems that are measured, and the fake upstreams behind them: how each is started and spoken to.

Adding one is adding a function to `STARTERS`. None is changed in its behaviour for the sake of a figure.
"""

import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import bodies
from bench.load import Ask
from bench.process import LOAD_CORE, MEASURED_CORE, Ground, Running, free_port

ORIGINAL = "@portkey-ai/gateway"
ORIGINAL_VERSION = "1.15.2"

KEY = "bench-admin-key-000000000000000000000000"
"""Gatekey's admin key."""
KEY_HEADERS = {"x-portkey-api-key": KEY, "Content-Type": "application/json"}
_BIN = Path(sys.executable).parent
_GATEKEY = str(_BIN / "gatekey")
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
        chosen = {"x-portkey-api-key": KEY, "x-portkey-provider": "openai", "x-portkey-custom-host": host}
        return Ask(path, headers | chosen, body)


def upstreams(ground: Ground) -> Upstreams:
    """Start both fake providers, on the core of the load."""
    port = free_port()
    answers = {"completion": bodies.COMPLETION_ANSWER.decode(), "chat": bodies.CHAT_ANSWER.decode()}
    plain = _nginx(ground, "upstream", _ANSWERS.format(port=port, **answers), port, LOAD_CORE)
    port = free_port()
    command = [sys.executable, "-m", "bench.streams", str(port)]
    return Upstreams(plain, ground.start("streams", command, port, core=LOAD_CORE))


def nginx(ground: Ground, upstreams: Upstreams) -> System:
    """nginx as a plain reverse proxy: one worker, pooled connections, nothing buffered in a stream."""
    port = free_port()
    body = _PROXY.format(port=port, plain=upstreams.plain.port, streams=upstreams.streams.port)
    version = said("nginx", "-v").removeprefix("nginx version: nginx/")
    return System("nginx", version, _nginx(ground, "proxy", body, port, MEASURED_CORE), gateway=False)


def gatekey(
    ground: Ground, upstreams: Upstreams, data: str = "data", serve: Sequence[str] = (_GATEKEY, "serve")
) -> System:
    """Gatekey as it is served: one worker, a data folder below the scratch folder, fresh unless somebody filled it."""
    port = free_port()
    command = [*serve, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--data", str(ground.scratch / data)]
    running = ground.start(f"gatekey-{data}", command, port, env={"GATEKEY_ADMIN_KEY": KEY})
    return System("gatekey", said(_GATEKEY, "--version").removeprefix("gatekey "), running)


def original(ground: Ground, upstreams: Upstreams) -> System:
    """The TypeScript gateway from npm, installed inside the virtual environment on the first use."""
    script = _NODE / "node_modules" / ORIGINAL / "build" / "start-server.js"
    if not script.exists():
        package = f"{ORIGINAL}@{ORIGINAL_VERSION}"
        command = ["npm", "install", "--prefix", str(_NODE), "--no-audit", "--no-fund", "--ignore-scripts", package]
        subprocess.run(command, check=True, timeout=300, capture_output=True)
    port = free_port()
    command = ["node", str(script), f"--port={port}", "--headless"]
    running = ground.start("original", command, port, health="/", env={"NODE_ENV": "production"})
    return System("original", f"{ORIGINAL_VERSION} on node {said('node', '--version')}", running)


STARTERS: dict[str, Callable[[Ground, Upstreams], System]] = {"nginx": nginx, "gatekey": gatekey, "original": original}


def peer(ground: Ground, name: str, command: str) -> System:
    """Any other gateway that takes the same headers; `{port}` in its command is where it has to listen."""
    port = free_port()
    return System(name, "", ground.start(name, command.replace("{port}", str(port)).split(), port))


def said(*command: str) -> str:
    """The first line that a command prints, by either way out."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return (done.stdout + done.stderr).strip().partition("\n")[0]


def _nginx(ground: Ground, name: str, body: str, port: int, core: int) -> Running:
    config = ground.scratch / f"{name}.conf"
    config.write_text(_NGINX.format(scratch=ground.scratch, name=name, body=body))
    return ground.start(name, ["nginx", "-p", str(ground.scratch), "-c", str(config), "-e", "stderr"], port, core=core)
