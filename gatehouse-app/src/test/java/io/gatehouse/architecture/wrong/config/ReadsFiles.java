package io.gatehouse.architecture.wrong.config;

import java.nio.file.Path;

/** Names a file. */
public record ReadsFiles(Path path) {}
