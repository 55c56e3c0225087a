// The world that mooR's .moot files expect.
system.moo
root.moo
room.moo
wizard.moo
programmer.moo
nonprogrammer.moo
