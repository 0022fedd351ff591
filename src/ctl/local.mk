# src/ctl: sources and unit tests
