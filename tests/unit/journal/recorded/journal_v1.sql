-- A journal as schema 1 had it, written down once. Never to be changed: it stands for the files of those who used that version.
PRAGMA application_id = 1347767882;
PRAGMA user_version = 1;
CREATE TABLE runs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    started REAL NOT NULL,
    finished REAL NOT NULL,
    command TEXT NOT NULL,
    folder TEXT NOT NULL,
    punie_version TEXT NOT NULL,
    config TEXT NOT NULL,
    hashes TEXT NOT NULL,
    environment TEXT NOT NULL,
    results TEXT NOT NULL,
    error TEXT NOT NULL,
    note TEXT NOT NULL,
    parent TEXT NOT NULL,
    stage TEXT NOT NULL,
    key TEXT NOT NULL,
    pid INTEGER NOT NULL,
    pid_started INTEGER NOT NULL
) STRICT;
CREATE INDEX runs_by_start ON runs (started);
CREATE INDEX runs_by_parent ON runs (parent) WHERE parent <> '';
CREATE INDEX runs_by_key ON runs (key) WHERE key <> '';
CREATE TABLE answers (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    prompt TEXT NOT NULL,
    sample INTEGER NOT NULL,
    grp TEXT NOT NULL,
    category TEXT NOT NULL,
    state TEXT NOT NULL,
    score REAL NOT NULL,
    passed INTEGER NOT NULL,
    reason TEXT NOT NULL,
    seconds REAL NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    PRIMARY KEY (run, prompt, sample)
) STRICT, WITHOUT ROWID;
CREATE TABLE points (
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
    iteration INTEGER NOT NULL,
    train_loss ANY,
    valid_loss ANY,
    tokens_per_second REAL NOT NULL,
    peak_memory_gb REAL NOT NULL,
    seconds REAL NOT NULL,
    PRIMARY KEY (run, iteration)
) STRICT, WITHOUT ROWID;
CREATE TABLE marks (
    name TEXT PRIMARY KEY,
    run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE
) STRICT;
INSERT INTO runs VALUES (1, 'eval-0000abcd', 'eval', 'base', 'done', 1700000000.5, 1700000060.25, 'punie eval tools.yaml --model m', '/tmp', '0.0.9', '{"temperature":0}', '{}', '{}', '{"answered":2}', '', 'the first one', '', '', '', 4242, 77);
INSERT INTO runs VALUES (2, 'train-0000beef', 'train', 'lora', 'failed', 1700000100.0, 1700000200.0, 'punie train', '/tmp', '0.0.9', '{}', '{}', '{}', '{}', 'loss is NaN', '', '', '', '', 4243, 78);
INSERT INTO answers VALUES (1, 'a', 0, 'g', 'c', 'answered', 1.0, 1, 'as expected', 0.5, 10, 20);
INSERT INTO answers VALUES (1, 'b', 0, 'g', 'c', 'answered', 0.0, 0, 'no call', 0.25, 11, 21);
INSERT INTO points VALUES (2, 10, 'nan', NULL, 100.0, 1.5, 30.0);
INSERT INTO marks VALUES ('baseline', 1);
