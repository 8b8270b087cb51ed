"""Reading chats from the screen: pages into messages, pages into one sequence, sequences into what is new."""
