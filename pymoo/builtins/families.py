"""All families of built-in functions: importing this defines every function."""

from pymoo.builtins import (
    admin,
    connections,
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
    "admin",
    "connections",
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
