"""What Celery's workers run: ``celery -A pymoo.workers.celery_app worker``.

The environment says which workers there are (PYMOO_WORKERS: modules, with commas
between) and where the broker is (PYMOO_CELERY, and PYMOO_CELERY_RESULTS if results are
kept elsewhere); PYMOO_WORKER_BYTES how big an answer may be.
"""

from __future__ import annotations

import os

from celery import Celery

from pymoo.errors import OptionError
from pymoo.workers.celery_tasks import make_app, register
from pymoo.workers.registry import load
from pymoo.workers.settings import DEFAULT_MAX_BYTES


def _variable(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise OptionError(
            f"the environment has no {name}; see docs/workers.md"
        ) from None


def _application() -> Celery:
    broker = _variable("PYMOO_CELERY")
    found = make_app(broker, os.environ.get("PYMOO_CELERY_RESULTS", broker))
    kinds = load(_variable("PYMOO_WORKERS").split(","))
    register(found, kinds, int(os.environ.get("PYMOO_WORKER_BYTES", DEFAULT_MAX_BYTES)))
    return found


app = _application()
