package io.gatehouse.architecture.wrong.compile;

import io.gatehouse.architecture.wrong.config.ReadsFiles;

/** Compiles what only config should know. */
public record UsesConfig(ReadsFiles files) {}
