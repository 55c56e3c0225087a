object $porch
  name "The Porch"
  owner $hacker
  parent $room
  flags r

set aliases = {"porch"}
set exits = {$porch_north}
set description = {
  "You stand on the wooden porch of a small house. The door to the north is open.",
  "",
  "If you are new here:",
  "  look                see this again; `look lantern' looks at something",
  "  north               go through the door; `n' will do, and so will `go north'",
  "  say hello           talk to those who are with you; \"hello is the same",
  "  :smiles             show what you do",
  "  take lantern        and `drop lantern', `give lantern to ...', `inventory'",
  "  who                 who is connected; `page <name> <text>' reaches them anywhere",
  "  help                much more, also on building and programming",
  "  @quit               leave"
}
