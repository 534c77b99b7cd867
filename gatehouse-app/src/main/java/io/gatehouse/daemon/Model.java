package io.gatehouse.daemon;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Gateway;

/**
 * What stands in the kernel, as far as the daemon has to know it.
 *
 * @param generation of the journal; 0 where nothing of ours is to stand
 */
public record Model(int generation, Gateway gateway, LiveMaps maps) {}
