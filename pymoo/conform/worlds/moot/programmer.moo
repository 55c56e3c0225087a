object $programmer
  name "programmer"
  parent $root
  owner $programmer
  location $room
  flags player programmer
