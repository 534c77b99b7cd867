package io.gatehouse.bench;

import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.model.Gateway;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.verify.Proofs;
import io.gatehouse.verify.Verdict;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/**
 * The steps from a description to nftables' text, each alone, in a warm JVM. {@code java -cp … }
 * {@code org.openjdk.jmh.Main CompilerSpeed}: see {@code gatehouse-bench/size}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 3, time = 1)
public class CompilerSpeed {
  /** Site-to-site peers with two networks each. */
  @Param({"10", "100", "1000", "10000"})
  public int peers;

  private OneText source = new OneText(Peers.description(1));
  private Gateway gateway = source.gateway();
  private Compiled compiled = Compiler.compile(gateway);

  /** Reads once what the steps begin with. */
  @Setup
  public void describe() {
    source = new OneText(Peers.description(peers));
    gateway = source.gateway();
    compiled = Compiler.compile(gateway);
  }

  /** YAML to model. */
  @Benchmark
  public Gateway read() {
    return source.gateway();
  }

  /** Model to ruleset. */
  @Benchmark
  public Compiled compile() {
    return Compiler.compile(gateway);
  }

  /** Ten properties. */
  @Benchmark
  public List<Verdict> prove() {
    return Proofs.of(gateway, compiled.ruleset());
  }

  /** Ruleset to nft's words. */
  @Benchmark
  public String write() {
    return NftText.of(compiled.ruleset().tables().getFirst());
  }
}
