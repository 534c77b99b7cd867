package io.gatehouse.simulator;

import io.gatehouse.masquerade.Wire;
import io.gatehouse.model.Address;
import io.gatehouse.packet.Ike;

/** A host and the remote's half of its session. */
final class Peer {
  private static final long RETRANSMIT = 500;
  private static final int RETRANSMISSIONS = 6;

  /** A host that has sent and heard nothing for so long negotiates anew. */
  private static final long DEAF = 60_000;

  final Address host;
  private final Simulation world;
  private final boolean hostile;

  private long initiator;
  private long responder;
  private int nextFromHost;
  private int nextFromRemote;

  /** The SPI under which the host sends, and the remote. 0: none yet. */
  private int hostSends;

  private int remoteSends;
  private int hostSequence;
  private int remoteSequence;
  private boolean up;
  private long heard;
  private long silentUntil;

  Peer(Simulation world, Address host, boolean hostile) {
    this.world = world;
    this.host = host;
    this.hostile = hostile;
  }

  private long chance(long below) {
    return world.random.nextLong(below);
  }

  private long exponential(double mean) {
    return 1 + (long) (-mean * Math.log(1 - world.random.nextDouble()));
  }

  // ---- IKE -------------------------------------------------------------------------------------

  /** A request with its answer, repeated until the answer has come. */
  private final class Dialogue {
    private final Ike request;
    private final Ike answer;
    private final boolean fromHost;
    private final Runnable asked;
    private final Runnable done;
    private boolean reached;
    private boolean finished;
    private int tries;

    Dialogue(Ike request, Ike answer, boolean fromHost, Runnable asked, Runnable done) {
      this.request = request;
      this.answer = answer;
      this.fromHost = fromHost;
      this.asked = asked;
      this.done = done;
    }

    void send() {
      if (finished || tries > RETRANSMISSIONS) {
        return;
      }
      long wait = RETRANSMIT << tries;
      tries++;
      if (fromHost) {
        world.ikeOut(Peer.this, request, this::arrived);
      } else {
        world.ikeFromRemote(Peer.this, request, this::arrived);
      }
      world.in(wait, this::send);
    }

    private void arrived() {
      world.in(
          5 + chance(15),
          () -> {
            if (!reached) {
              reached = true;
              asked.run();
            }
            if (fromHost) {
              world.ikeFromRemote(Peer.this, answer, this::answered);
            } else {
              world.ikeOut(Peer.this, answer, this::answered);
            }
          });
    }

    private void answered() {
      if (!finished) {
        finished = true;
        done.run();
      }
    }
  }

  private Ike message(int exchange, int id, boolean answers, int inner, long length) {
    return world.scenario.version() == 1
        ? Wire.v1(initiator, responder, exchange, id, length)
        : Wire.v2(initiator, responder, exchange, id, answers, inner, length);
  }

  private void dialogue(
      int exchange,
      boolean fromHost,
      int inner,
      long length,
      int innerOfAnswer,
      long lengthOfAnswer,
      Runnable asked,
      Runnable done) {
    int id = fromHost ? nextFromHost++ : nextFromRemote++;
    new Dialogue(
            message(exchange, id, false, inner, length),
            message(exchange, id, true, innerOfAnswer, lengthOfAnswer),
            fromHost,
            asked,
            done)
        .send();
  }

  /** The first exchanges; IKE_AUTH, or Quick Mode, brings the first pair of SAs. */
  void logon() {
    initiator = world.random.nextLong() | 1;
    responder = 0;
    nextFromHost = 0;
    nextFromRemote = 0;
    Runnable established =
        () -> {
          up = true;
          heard = world.now;
          speakLater();
          watch();
          if (hostile) {
            catchPackets();
          } else {
            rekeyLater();
            if (world.scenario.version() == 2) {
              newIkeSaLater();
            }
          }
        };
    if (world.scenario.version() == 1) {
      Ike first = Wire.v1(initiator, 0, Ike.MAIN_MODE, 0, Wire.LONG);
      long answered = world.random.nextLong() | 1;
      new Dialogue(
              first,
              Wire.v1(initiator, answered, Ike.MAIN_MODE, 0, Wire.LONG),
              true,
              () -> {},
              () -> {
                responder = answered;
                quickMode(true, established);
              })
          .send();
      return;
    }
    long answered = world.random.nextLong() | 1;
    nextFromHost = 1;
    new Dialogue(
            Wire.v2(initiator, 0, Ike.SA_INIT, 0, false, 0, Wire.LONG),
            Wire.v2(initiator, answered, Ike.SA_INIT, 0, true, 0, Wire.LONG),
            true,
            () -> {},
            () -> {
              responder = answered;
              newSas(Ike.AUTH, true, 35, Ike.IDR_PAYLOAD, false, established);
            })
        .send();
  }

  /** An exchange of version 2 that brings a pair of SAs. */
  private void newSas(
      int exchange,
      boolean fromHost,
      int inner,
      int innerOfAnswer,
      boolean replaces,
      Runnable then) {
    int in = world.spiOf(this);
    int out = world.random.nextInt() | 0x100;
    // Half of the implementations send under the new SA as responder at once, the others when the
    // old one is deleted.
    boolean eager = !replaces || world.random.nextBoolean();
    dialogue(
        exchange,
        fromHost,
        inner,
        Wire.LONG,
        innerOfAnswer,
        Wire.LONG,
        () -> {
          if (fromHost && eager) {
            remoteUses(in);
          } else if (!fromHost && eager) {
            hostUses(out);
          }
        },
        () -> {
          if (fromHost) {
            hostUses(out);
          } else {
            remoteUses(in);
          }
          then.run();
          if (replaces) {
            afterwards(() -> deletion(fromHost, in, out));
          }
        });
  }

  /** At once where nothing is waited for: an event of its own would change the frozen runs. */
  private void afterwards(Runnable deletion) {
    if (world.manners.deletes() == 0) {
      deletion.run();
    } else {
      world.in(world.manners.deletes(), deletion);
    }
  }

  /** Of the old pair: who has waited for it goes over to the new one. */
  private void deletion(boolean fromHost, int in, int out) {
    dialogue(
        Ike.INFORMATIONAL,
        fromHost,
        Ike.DELETE_PAYLOAD,
        Wire.SHORT,
        Ike.DELETE_PAYLOAD,
        Wire.SHORT,
        () -> {
          if (fromHost) {
            remoteUses(in);
          } else {
            hostUses(out);
          }
        },
        () -> {});
  }

  /** Quick Mode: three messages, the third not answered. */
  private void quickMode(boolean fromHost, Runnable then) {
    int in = world.spiOf(this);
    int out = world.random.nextInt() | 0x100;
    int id = world.random.nextInt() | 1;
    Ike offer = Wire.v1(initiator, responder, Ike.QUICK_MODE, id, Wire.LONG);
    Ike hash = Wire.v1(initiator, responder, Ike.QUICK_MODE, id, 60);
    new Dialogue(
            offer,
            offer,
            fromHost,
            () -> {},
            () -> {
              if (fromHost) {
                hostUses(out);
                world.ikeOut(this, hash, () -> remoteUses(in));
              } else {
                remoteUses(in);
                world.ikeFromRemote(this, hash, () -> hostUses(out));
              }
              then.run();
            })
        .send();
  }

  private void hostUses(int spi) {
    if (hostSends != spi) {
      hostSends = spi;
      hostSequence = 0;
      if (world.random.nextDouble() < world.scenario.idle()) {
        silentUntil = world.now + 10_000 + chance(110_000);
      }
    }
  }

  private void remoteUses(int spi) {
    if (remoteSends != spi) {
      remoteSends = spi;
      remoteSequence = 0;
    }
  }

  private void rekeyLater() {
    long interval = world.scenario.rekey();
    long wait =
        world.scenario.together()
            ? (world.now / interval + 1) * interval - world.now + chance(10_000)
            : interval - chance(interval / 10);
    world.in(
        wait,
        () -> {
          rekey();
          rekeyLater();
        });
  }

  private void rekey() {
    boolean fromHost = world.random.nextBoolean();
    if (world.scenario.version() == 1) {
      quickMode(fromHost, () -> {});
      return;
    }
    if (chance(100) < 3) {
      // Refused: a bare notification, tried again soon.
      dialogue(
          Ike.CREATE_CHILD_SA,
          fromHost,
          Ike.NOTIFY_PAYLOAD,
          Wire.LONG,
          Ike.NOTIFY_PAYLOAD,
          Wire.SHORT,
          () -> {},
          () -> world.in(5000, this::rekey));
      return;
    }
    newSas(Ike.CREATE_CHILD_SA, fromHost, Ike.NOTIFY_PAYLOAD, Ike.SA_PAYLOAD, true, () -> {});
  }

  /** Every third rekey interval the IKE SA itself is replaced, within itself (RFC 7296, 1.3.2). */
  private void newIkeSaLater() {
    world.in(
        world.scenario.rekey() * 3 / 2 + chance(world.scenario.rekey()),
        () -> {
          boolean fromHost = world.random.nextBoolean();
          dialogue(
              Ike.CREATE_CHILD_SA,
              fromHost,
              Ike.SA_PAYLOAD,
              Wire.LONG,
              Ike.SA_PAYLOAD,
              Wire.LONG,
              () -> {},
              () -> {
                // Who asked deletes the old one (RFC 7296, 2.8).
                dialogue(
                    Ike.INFORMATIONAL,
                    fromHost,
                    Ike.DELETE_PAYLOAD,
                    Wire.SHORT,
                    Ike.DELETE_PAYLOAD,
                    Wire.SHORT,
                    () -> {},
                    () -> {});
                initiator = world.random.nextLong() | 1;
                responder = world.random.nextLong() | 1;
                nextFromHost = 0;
                nextFromRemote = 0;
              });
          newIkeSaLater();
        });
  }

  private void catchPackets() {
    newSas(Ike.CREATE_CHILD_SA, true, Ike.SA_PAYLOAD, Ike.SA_PAYLOAD, false, () -> {});
    world.outbound(this, world.random.nextInt() | 0x100, 1, () -> {}, () -> {});
    world.in(2000, this::catchPackets);
  }

  // ---- traffic ---------------------------------------------------------------------------------

  private void speakLater() {
    world.in(
        exponential((double) world.scenario.gap()),
        () -> {
          speak();
          speakLater();
        });
  }

  private void speak() {
    boolean silent = world.now < silentUntil;
    if (!silent && world.random.nextBoolean()) {
      hostSays(0);
    } else {
      remoteSays(!silent);
    }
  }

  /** A question that is repeated for half a minute where the gateway drops it. */
  private void hostSays(int tries) {
    if (hostSends == 0) {
      return;
    }
    boolean passed =
        world.outbound(
            this,
            hostSends,
            ++hostSequence,
            () ->
                world.in(
                    1 + chance(20),
                    () -> {
                      if (remoteSends != 0) {
                        world.fromRemote(remoteSends, ++remoteSequence, () -> heard = world.now);
                      }
                    }),
            () -> {
              if (tries < 5) {
                world.in(1000L << tries, () -> hostSays(tries + 1));
              }
            });
    if (passed && tries > 0) {
      world.passedLate();
    }
  }

  private void remoteSays(boolean answered) {
    if (remoteSends == 0) {
      return;
    }
    world.fromRemote(
        remoteSends,
        ++remoteSequence,
        () -> {
          heard = world.now;
          if (answered && hostSends != 0) {
            world.in(
                1 + chance(20),
                () -> world.outbound(this, hostSends, ++hostSequence, () -> {}, () -> {}));
          }
        });
  }

  /** Who hears nothing though it is up makes new SAs, as a person or dead peer detection would. */
  private void watch() {
    world.in(
        10_000,
        () -> {
          if (up && world.now - heard > DEAF) {
            heard = world.now;
            if (world.scenario.version() == 1) {
              quickMode(true, () -> {});
            } else {
              newSas(Ike.CREATE_CHILD_SA, true, Ike.NOTIFY_PAYLOAD, Ike.SA_PAYLOAD, true, () -> {});
            }
          }
          watch();
        });
  }
}
