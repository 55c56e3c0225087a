"""All families of built-in functions: importing this defines every function."""

from pymoo.builtins import (
    added_tasks,
    admin,
    connections,
    jobs,
    lists,
    numbers,
    objects,
    properties,
    schedule,
    strings,
    tasks,
    transactions,
    verbs,
    workers,
)

__all__ = [
    "added_tasks",
    "admin",
    "connections",
    "jobs",
    "lists",
    "numbers",
    "objects",
    "properties",
    "schedule",
    "strings",
    "tasks",
    "transactions",
    "verbs",
    "workers",
]
