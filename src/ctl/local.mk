# src/ctl: the admin tool
