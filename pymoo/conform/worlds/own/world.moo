// The world of the project's own conformance cases: small, and with nothing in it
// that a case does not use.
system.moo
root.moo
lab.moo
wizard.moo
programmer.moo
visitor.moo
options.moo
thing.moo
box.moo
lamp.moo
