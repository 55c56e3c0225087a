"""``pymoo bench``: how fast pymoo is, on this machine, with this database.

``cases`` says what a measurement is, and ``catalogue`` has all of them; they are in
``language``, ``growth``, ``tasks``, ``mix`` and ``start``, one subject each.

``programs`` measures MOO code in a world of this process (``workbench``).  ``served``
is a server in a process of its own, which runs ``child``; ``crowd`` are the players
at it, who type what is in ``commands``.  ``session`` keeps what several cases use.

``measure`` takes the samples, ``report`` holds and shows them, ``compare`` puts two
reports side by side, and ``command`` is the command line.
"""
