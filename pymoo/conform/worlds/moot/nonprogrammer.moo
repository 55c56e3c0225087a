object $nonprogrammer
  name "nonprogrammer"
  parent $root
  owner $nonprogrammer
  location $room
  flags player
