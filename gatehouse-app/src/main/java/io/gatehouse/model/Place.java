package io.gatehouse.model;

/** Somewhere that traffic comes from or goes to. */
public sealed interface Place permits Network, Place.Internet, Place.OfTunnel {

  /**
   * Everything behind the outside interfaces that is no network, pool or remote network of the
   * description.
   */
  record Internet() implements Place {
    @Override
    public String name() {
      return "internet";
    }
  }

  /** The pools or remote networks of a tunnel, by its name: tunnels may name each other. */
  record OfTunnel(String name) implements Place {}

  /** The word that names it in a description. */
  String name();
}
