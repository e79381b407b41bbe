"""mlx_lm.server with a limit on its key-value cache, for which it has no flag.

Usage: server_launcher.py --punie-max-kv-size N [arguments of mlx_lm.server]

`make_prompt_cache` and `BatchGenerator` of mlx_lm take `max_kv_size`; mlx_lm.server just does not pass it. Here the two
names that the server uses are replaced before its `main` runs. An architecture with its own `make_cache` ignores the
limit: then the process ends with exit code 78 (EX_CONFIG) and a line that Punie knows, instead of pretending.

A server whose main or generation thread died would linger: mlx_lm.server does not exit in either case. This one does.
"""

import functools
import logging
import os
import sys
import traceback

NO_EFFECT = 78


def end(code):
    """Ends the process at once, whatever its other threads do."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def limited(server, max_kv_size):
    """Replaces what `server` makes its key-value caches with."""
    for name in ("make_prompt_cache", "BatchGenerator"):
        if not hasattr(server, name):
            print(f"punie: max_kv_size: this mlx_lm.server has no {name} to give a limit to", file=sys.stderr)
            end(NO_EFFECT)
    original = server.make_prompt_cache

    def make_prompt_cache(model, *_, **__):
        if hasattr(model, "make_cache"):
            kind = getattr(model, "model_type", type(model).__module__.rsplit(".", 1)[-1])
            print(
                f"punie: max_kv_size has no effect: the architecture '{kind}' makes its own key-value cache",
                file=sys.stderr,
            )
            end(NO_EFFECT)
        return original(model, max_kv_size)

    server.make_prompt_cache = make_prompt_cache
    server.BatchGenerator = functools.partial(server.BatchGenerator, max_kv_size=max_kv_size)


def end_when_generation_dies(server):
    """mlx_lm.server logs that its generation thread died and goes on listening; nothing could ever answer."""
    if not hasattr(server, "ResponseGenerator") or not hasattr(server.ResponseGenerator, "_generate"):
        return
    original = server.ResponseGenerator._generate

    def generate(self):
        try:
            original(self)
        except Exception as error:
            logging.exception(f"mlx_lm.server generation thread died: {error}")
            end(1)

    server.ResponseGenerator._generate = generate


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "--punie-max-kv-size":
        sys.exit(__doc__)
    max_kv_size = int(sys.argv[2])
    del sys.argv[1:3]
    import mlx_lm.server as server

    limited(server, max_kv_size)
    end_when_generation_dies(server)
    try:
        server.main()
    except (SystemExit, KeyboardInterrupt):
        raise
    except BaseException:
        traceback.print_exc()
        end(1)


if __name__ == "__main__":
    main()
