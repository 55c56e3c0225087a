// The world that moo-conformance-tests expect, as far as a server without
// switch_player() can have it.
system.moo
root.moo
room.moo
wizard.moo
options.moo
