# src/turn: sources and unit tests
