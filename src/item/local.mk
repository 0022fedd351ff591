# src/item: sources and unit tests
