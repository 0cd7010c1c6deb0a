"""The list of models where no provider is named: those that the workspace's stored providers may be used with."""

from gatekey.gateway.call import Call
from gatekey.gateway.respond import JSON, Pairs
from gatekey.store.directory import Directory
from gatekey.wire import body as json


def listing(call: Call, directory: Directory) -> tuple[Pairs, bytes]:
    """Headers and body. A provider that may be used with any model is not listed: only it knows which it has."""
    workspace = call.principal.home
    stored = (directory.provider(workspace, slug) for slug in directory.providers(workspace))
    data = [
        {"id": f"@{found.slug}/{model}", "slug": model, "canonical_slug": model, "object": "model"}
        for found in stored
        if found is not None and found.models is not None
        for model in sorted(found.models)
    ]
    pairs: Pairs = [(b"content-type", JSON.encode()), (b"x-portkey-trace-id", call.trace_id.encode())]
    return pairs, json.encode({"object": "list", "total": len(data), "data": data})
