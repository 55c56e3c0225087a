object $leaflet
  name "leaflet"
  owner $hacker
  parent $note
  location $hall
  flags r

set aliases = {"leaflet", "paper"}
set description = "A leaflet that somebody has left here to be read: try `read leaflet'."
set text = {
  "  THE HOUSE RULES",
  "",
  "  1. Be kind.",
  "  2. What you make is yours, and what others make is theirs. Looking is free:",
  "     `examine' anything.",
  "  3. Everything you see is a program that you can read, `@list' it, and be inspired.",
  "  4. Ask a wizard to make you a programmer; `who' tells who is here."
}
