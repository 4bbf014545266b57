CREATE TABLE tap_freshbooks_tokens (
    client_id TEXT NOT NULL,
    connection TEXT NOT NULL,
    refresh_token TEXT,
    access_token TEXT,
    expires_at DOUBLE PRECISION,
    token_generation INTEGER,
    token_client TEXT,
    token_seed TEXT,
    token_seeds_replaced JSON,
    token_refreshed_at DOUBLE PRECISION,
    token_spending JSON,
    token_rejections JSON,
    PRIMARY KEY (client_id, connection)
);
CREATE TABLE tap_freshbooks_inbox (
    id TEXT NOT NULL,
    version INTEGER NOT NULL,
    pruned_to BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE tap_freshbooks_inbox_events (
    position BIGSERIAL PRIMARY KEY,
    account_id TEXT NOT NULL,
    noun TEXT NOT NULL,
    name TEXT NOT NULL,
    object_id TEXT NOT NULL,
    business_id TEXT,
    received_at DOUBLE PRECISION NOT NULL
);
CREATE INDEX tap_freshbooks_inbox_events_by_noun
    ON tap_freshbooks_inbox_events (account_id, noun, position);
CREATE TABLE tap_freshbooks_callbacks (
    path TEXT NOT NULL,
    account_id TEXT NOT NULL,
    noun TEXT NOT NULL,
    uri TEXT NOT NULL,
    callbackid BIGINT,
    verified BOOLEAN NOT NULL,
    verified_at DOUBLE PRECISION,
    checked_at DOUBLE PRECISION,
    asked_at DOUBLE PRECISION,
    last_event_at DOUBLE PRECISION,
    events BIGINT NOT NULL,
    PRIMARY KEY (path)
);
CREATE TABLE tap_freshbooks_verifiers (
    path TEXT NOT NULL,
    verifier TEXT NOT NULL,
    callbackid BIGINT NOT NULL,
    received_at DOUBLE PRECISION NOT NULL,
    accepted_at DOUBLE PRECISION,
    is_pending BOOLEAN NOT NULL,
    PRIMARY KEY (path, verifier)
);
CREATE TABLE tap_freshbooks_receivers (
    id TEXT NOT NULL,
    seen_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE tap_freshbooks_misses (
    account_id TEXT NOT NULL,
    noun TEXT NOT NULL,
    rows BIGINT NOT NULL,
    found_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (account_id, noun)
);
CREATE TABLE tap_freshbooks_looks (
    stream TEXT NOT NULL,
    scope_id TEXT NOT NULL,
    object_id TEXT NOT NULL,
    looked_at DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (stream, scope_id, object_id)
);
