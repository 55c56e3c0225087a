object $wizard
  name "Wizard"
  parent $root
  owner $wizard
  location $room
  flags player programmer wizard
