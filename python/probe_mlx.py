"""Tells what the mlx_lm of this interpreter is and can do: one line of JSON on stdout, after the mark PUNIE-PROBE.

{"mlx_lm_version", "mlx_version", "python_version", "server_words", "server_help", "lora_help", "training_callbacks",
 "metal", "recommended_working_set", "model_types", "own_cache_types", "watched": files whose change makes this stale}
or {"error": in words, "missing": name of a module that is not installed, if that is it}.
"""

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
import json
import os
import pkgutil
import platform
import sys


def help_of(module, name):
    """What `module.main` prints for --help."""
    out = io.StringIO()
    saved = sys.argv
    sys.argv = [name, "--help"]
    try:
        with contextlib.redirect_stdout(out), contextlib.suppress(SystemExit):
            module.main()
    finally:
        sys.argv = saved
    return out.getvalue()


def architectures():
    """All model types that can be loaded, and those whose architecture has its own make_cache."""
    import mlx_lm.models
    import mlx_lm.utils as utils

    known, own = set(), set()
    for found in pkgutil.iter_modules(mlx_lm.models.__path__):
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                module = importlib.import_module(f"mlx_lm.models.{found.name}")
        except BaseException:  # some exit when an optional package is missing; what cannot be imported cannot be asked
            known.add(found.name)
            continue
        model = getattr(module, "Model", None)
        if model is None:
            continue
        known.add(found.name)
        if hasattr(model, "make_cache"):
            own.add(found.name)
    for name, target in getattr(utils, "MODEL_REMAPPING", {}).items():
        known.add(name)
        if target in own:
            own.add(name)
    for (name, _architecture), _target in getattr(utils, "MODEL_ARCHITECTURE_REMAPPING", {}).items():
        known.add(name)
    return sorted(known), sorted(own)


def watched_files():
    """Files that an upgrade of mlx_lm or mlx rewrites."""
    import mlx.core
    import mlx_lm

    folder = os.path.dirname(mlx_lm.__file__)
    names = ("_version.py", "server.py", "lora.py", "utils.py")
    files = [os.path.join(folder, name) for name in names]
    return [file for file in [*files, folder, mlx.core.__file__] if os.path.exists(file)]


def describe():
    import mlx.core as mx
    import mlx_lm
    import mlx_lm.lora
    import mlx_lm.server

    try:
        import mlx_lm.tuner.callbacks as callbacks
    except ImportError:
        callbacks = None
    metal = bool(hasattr(mx, "metal") and mx.metal.is_available())
    info = {}
    if metal:
        info = mx.device_info() if hasattr(mx, "device_info") else mx.metal.device_info()
    known, own = architectures()
    has_cli = importlib.util.find_spec("mlx_lm.cli") is not None
    return {
        "mlx_lm_version": mlx_lm.__version__,
        "mlx_version": importlib.metadata.version("mlx"),
        "python_version": platform.python_version(),
        "server_words": ["-m", "mlx_lm", "server"] if has_cli else ["-m", "mlx_lm.server"],
        "server_help": help_of(mlx_lm.server, "mlx_lm.server"),
        "lora_help": help_of(mlx_lm.lora, "mlx_lm.lora"),
        "training_callbacks": hasattr(callbacks, "SUPPORT_CALLBACK"),
        "metal": metal,
        "recommended_working_set": int(info.get("max_recommended_working_set_size", 0)),
        "model_types": known,
        "own_cache_types": own,
        "watched": watched_files(),
    }


def main():
    try:
        answer = describe()
    except ModuleNotFoundError as error:
        answer = {"error": str(error), "missing": error.name or ""}
    except Exception as error:
        answer = {"error": f"{type(error).__name__}: {error}"}
    print("PUNIE-PROBE" + json.dumps(answer), flush=True)
    os._exit(0)  # skips a second of clearing up


main()
