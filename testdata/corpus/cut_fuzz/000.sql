-- nothing
/* at /* all */ */