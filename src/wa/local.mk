# src/wa: sources and unit tests
