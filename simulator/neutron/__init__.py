"""What the server decides: Quantum's rules as a plain state machine."""
