"""Workers: functions in Python that MOO programs ask for with worker_request().

They run in processes of their own, which the server starts, limits and replaces.  A
module of workers needs this name and nothing else:

    from pymoo.workers import worker

    @worker("add")
    def add(*numbers: int) -> int:
        return sum(numbers)
"""

from pymoo.workers.registry import worker

__all__ = ["worker"]
