object $wizard
  name "wizard"
  parent $root
  owner $wizard
  location $room
  flags player programmer wizard
