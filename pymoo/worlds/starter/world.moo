// The starter core: its objects, in the order of their numbers.

system.moo             // #0  what the server calls, and the names of all others
root.moo               // #1  the ancestor of everything
wizard.moo             // #2  the first player
room.moo               // #3
exit.moo               // #4
thing.moo              // #5
player.moo             // #6  a newcomer is one of these ...
builder.moo            // #7  ... and one of these
prog.moo               // #8
wiz.moo                // #9
guest.moo              // #10
container.moo          // #11
note.moo               // #12
hacker.moo             // #13 owns what needs no wizard

server_options.moo     // #14
login.moo              // #15
limbo.moo              // #16 where players sleep
help.moo               // #17
string_utils.moo       // #18
list_utils.moo         // #19
object_utils.moo       // #20
match_utils.moo        // #21
command_utils.moo      // #22
code_utils.moo         // #23
perm_utils.moo         // #24
time_utils.moo         // #25
building_utils.moo     // #26

porch.moo              // #27 the tour begins here
hall.moo               // #28
workshop.moo           // #29
garden.moo             // #30
porch_north.moo        // #31
hall_south.moo         // #32
hall_north.moo         // #33
workshop_south.moo     // #34
hall_east.moo          // #35
garden_west.moo        // #36
leaflet.moo            // #37
toy.moo                // #38
box.moo                // #39
marble.moo             // #40
lantern.moo            // #41
