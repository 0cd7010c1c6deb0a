"""A small language model on this machine, for a first completion without an account (extra `local`)."""

from gatekey.providers import compatible

provider = compatible(
    slug="local",
    name="Local model (SmolLM2-135M through llama.cpp)",
    docs="https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
    # Its model follows instructions: a bare continuation of a prompt would be of no use to anybody.
    has=("chat", "models"),
    key_needed=False,
    server="gatekey.local",
    default_model="smollm2-135m-instruct",
)
