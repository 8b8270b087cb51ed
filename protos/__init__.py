"""The wire between agents and the controller: all that both sides share."""
