// A programmer without special rights, who owns all that needs none, so that a
// mistake in it can do little harm.  Nobody can log in as Hacker.
object $hacker
  name "Hacker"
  owner $wizard
  parent $prog
  location $limbo
  flags player programmer r

set aliases = {"Hacker"}
set description = "Hacker owns those parts of this world that need no wizard."
