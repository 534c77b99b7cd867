package io.gatehouse.cli;

import io.gatehouse.clients.Clients;
import io.gatehouse.clients.Known;
import io.gatehouse.clients.Narrowing;
import io.gatehouse.clients.Platform;
import io.gatehouse.clients.Recipe;
import io.gatehouse.clients.Recipe.Artifact;
import io.gatehouse.clients.Recipe.Remark;
import io.gatehouse.clients.TrafficSelector;
import io.gatehouse.model.Tunnel;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/**
 * {@code gatehouse clients TUNNEL --for … --on FILE}: what sets up the other end of a tunnel, and
 * which networks then really go through it.
 */
final class ForClients {
  /** What may stand in a name that goes into other programs' files. */
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?");

  private final Subcommand.Call call;
  private final Surroundings surroundings;

  private ForClients(Subcommand.Call call, Surroundings surroundings) {
    this.call = call;
    this.surroundings = surroundings;
  }

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "clients",
            "Sets up a tunnel's other end: Windows, Apple, Android, Linux, IKEv1, the LAN's DHCP.",
            call -> new ForClients(call, surroundings).run());
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("TUNNEL")
            .arity("1")
            .required(true)
            .type(String.class)
            .description("The tunnel's name in the description.")
            .build());
    spec.addOption(Subcommand.on());
    spec.addOption(
        OptionSpec.builder("--for")
            .paramLabel("SYSTEM")
            .type(String.class)
            .description(
                "windows, apple, android, linux, ikev1 (what the gateway needs for such clients), or dhcp (the"
                    + " LAN behind it).")
            .build());
    spec.addOption(
        OptionSpec.builder("--server")
            .paramLabel("NAME")
            .type(String.class)
            .description("The gateway as clients call it and as its certificate names it.")
            .build());
    spec.addOption(
        OptionSpec.builder("--auth")
            .paramLabel("HOW")
            .type(String.class)
            .description(
                "eap (a name and a password; this where nothing stands), certificate, psk.")
            .build());
    spec.addOption(
        OptionSpec.builder("--domain")
            .paramLabel("DOMAIN")
            .arity("1")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description("Whose names the tunnel's name servers are asked for; may be repeated.")
            .build());
    spec.addOption(
        OptionSpec.builder("--authority")
            .paramLabel("FILE")
            .type(String.class)
            .description("The certificate that signed the gateway's, PEM or DER.")
            .build());
    spec.addOption(
        OptionSpec.builder("--proposes")
            .paramLabel("SELECTOR")
            .arity("1")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description(
                "What the gateway grants a client that asks for this, such as 0.0.0.0/0 or"
                    + " 10.0.1.0/24[tcp/443]; may be repeated.")
            .build());
    spec.addOption(
        OptionSpec.builder("--write")
            .paramLabel("DIR")
            .type(String.class)
            .description("Writes the files there instead of showing them.")
            .build());
    spec.addOption(Subcommand.json());
    return spec;
  }

  private int run() {
    Optional<Platform> platform =
        call.option("--for")
            .map(word ->
                Platform.of(word)
                    .orElseThrow(() ->
                        wrong(
                            "--for "
                                + word
                                + ": one of windows, apple, android, linux, ikev1, dhcp")));
    List<TrafficSelector> proposed =
        call.options("--proposes").stream()
            .map(text ->
                TrafficSelector.parse(text)
                    .orElseThrow(() ->
                        wrong("--proposes " + text + ": no selector such as 10.0.1.0/24[tcp/443]")))
            .toList();
    if (platform.isEmpty() && proposed.isEmpty()) {
      throw wrong(
          "say --for windows, apple, android, linux, ikev1 or dhcp, or --proposes SELECTOR");
    }
    if (platform.equals(Optional.of(Platform.IKEV1)) && !proposed.isEmpty()) {
      throw wrong(
          "--proposes is IKEv2's narrowing: --for ikev1 says what IKEv1 clients are granted");
    }
    Optional<Known> known = known();
    if (known.isEmpty()) {
      return ExitStatus.NO;
    }
    return Described.read(
        call.option("--on").orElseThrow(),
        new Disk(surroundings.directory()),
        problems -> Described.refuse(problems, call, surroundings.paint()),
        described -> {
          Optional<Tunnel> tunnel = described.gateway().tunnel(call.positional(0));
          if (tunnel.isEmpty()) {
            return refused(noTunnel(described));
          }
          return platform.isPresent()
              ? recipe(
                  Clients.of(
                      described.gateway(),
                      described.compiled(),
                      tunnel.get(),
                      platform.get(),
                      known.get()),
                  narrowing(described, tunnel.get(), proposed))
              : proposals(narrowing(described, tunnel.get(), proposed).orElseThrow());
        });
  }

  private Optional<Granted> narrowing(
      Described described, Tunnel tunnel, List<TrafficSelector> proposed) {
    return proposed.isEmpty()
        ? Optional.empty()
        : Optional.of(new Granted(proposed, Narrowing.of(described.gateway(), tunnel, proposed)));
  }

  /** A proposal and what the gateway makes of it. */
  private record Granted(List<TrafficSelector> proposed, Narrowing narrowing) {
    private Granted {
      proposed = List.copyOf(proposed);
    }

    String words() {
      if (narrowing.granted().isEmpty()) {
        return "nothing: TS_UNACCEPTABLE, none of it is in the tunnel's selectors (RFC 7296, 2.9)";
      }
      return list(narrowing.granted())
          + (narrowing.whole() ? ", all that it asked for" : ", narrowed (RFC 7296, 2.9)");
    }
  }

  private Optional<Known> known() {
    Optional<String> server = call.option("--server");
    server.ifPresent(name -> check("--server", name));
    List<String> domains = call.options("--domain");
    domains.forEach(name -> check("--domain", name));
    Known.Authentication authentication =
        switch (call.option("--auth").orElse("eap")) {
          case "eap" -> Known.Authentication.EAP;
          case "certificate" -> Known.Authentication.CERTIFICATE;
          case "psk" -> Known.Authentication.PSK;
          default -> throw wrong("--auth: one of eap, certificate, psk");
        };
    Optional<String> authority = Optional.empty();
    if (call.option("--authority").isPresent()) {
      authority = certificate(call.option("--authority").get());
      if (authority.isEmpty()) {
        refused(call.option("--authority").get() + ": cannot be read as a certificate");
        return Optional.empty();
      }
    }
    return Optional.of(new Known(server, authentication, domains, authority));
  }

  private void check(String option, String name) {
    if (!NAME.matcher(name).matches()) {
      throw wrong(option + " " + name + ": no name or address");
    }
  }

  /** In base64 of its DER. A key that somebody names by mistake is no certificate. */
  private Optional<String> certificate(String file) {
    try (InputStream in = Files.newInputStream(surroundings.directory().resolve(file))) {
      byte[] bytes = in.readNBytes(1 << 20);
      return Optional.of(
          Base64.getEncoder()
              .encodeToString(
                  CertificateFactory.getInstance("X.509")
                      .generateCertificate(new ByteArrayInputStream(bytes))
                      .getEncoded()));
    } catch (IOException | CertificateException | InvalidPathException e) {
      return Optional.empty();
    }
  }

  private String noTunnel(Described described) {
    List<String> names = described.gateway().tunnels().stream().map(Tunnel::name).toList();
    return "no tunnel `"
        + call.positional(0)
        + "` in "
        + call.option("--on").orElseThrow()
        + (names.isEmpty() ? "" : "; there are " + String.join(", ", names));
  }

  private ParameterException wrong(String text) {
    return new ParameterException(call.spec().commandLine(), text);
  }

  private int refused(String why) {
    Page.wrapped("gatehouse clients: " + Page.harmless(why), Described.WIDTH, 0)
        .forEach(call.err()::println);
    call.err().flush();
    return ExitStatus.NO;
  }

  // ---- answers

  private int proposals(Granted granted) {
    if (call.isSet("--json")) {
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("fine", !granted.narrowing().granted().isEmpty());
      put(answer, granted);
      call.answer(Json.text(answer));
    } else {
      Page page = new Page("");
      page.row("asks for", list(granted.proposed()));
      page.row("gets", granted.words());
      call.answer(page.text());
    }
    return granted.narrowing().granted().isEmpty() ? ExitStatus.NO : ExitStatus.FINE;
  }

  private static void put(Map<String, Object> answer, Granted granted) {
    answer.put("proposed", strings(granted.proposed()));
    answer.put("granted", strings(granted.narrowing().granted()));
    answer.put("whole", granted.narrowing().whole());
  }

  private int recipe(Recipe recipe, Optional<Granted> granted) {
    Optional<String> directory = call.option("--write");
    List<String> written = new ArrayList<>();
    if (directory.isPresent() && recipe.works()) {
      for (Artifact file : recipe.files()) {
        Path path = surroundings.directory().resolve(directory.get()).resolve(file.name());
        try {
          Files.createDirectories(path.toAbsolutePath().getParent());
          Files.writeString(path, file.text(), StandardOpenOption.CREATE_NEW);
        } catch (FileAlreadyExistsException e) {
          return refused(path + " is there already: remove it first");
        } catch (IOException e) {
          return refused("cannot write " + path);
        }
        written.add(directory.get() + "/" + file.name());
      }
    }
    call.answer(
        call.isSet("--json")
            ? Json.text(json(recipe, granted, written))
            : surroundings.paint().page(head(recipe, granted, written))
                + (directory.isPresent() ? "" : files(recipe)));
    return recipe.works() ? ExitStatus.FINE : ExitStatus.NO;
  }

  private static String head(Recipe recipe, Optional<Granted> granted, List<String> written) {
    Page page = new Page("");
    if (recipe.platform() == Platform.DHCP) {
      page.row("leads to", list(recipe.through()), recipe.origin());
    } else if (recipe.works()) {
      page.row(
          "through",
          recipe.through().isEmpty() ? "nothing" : list(recipe.through()),
          recipe.origin());
      if (recipe.through().stream().noneMatch(prefix -> prefix.isAll())) {
        page.row("beside", "everything else, as without the tunnel");
      }
    }
    if (!recipe.missing().isEmpty()) {
      page.row("missing", list(recipe.missing()));
    }
    granted.ifPresent(g -> {
      page.row("asks for", list(g.proposed()));
      page.row("gets", g.words());
    });
    if (!recipe.placeholders().isEmpty()) {
      page.row("fill in", String.join(", ", recipe.placeholders()));
    }
    if (!written.isEmpty()) {
      page.row("written", String.join(", ", written));
    }
    StringBuilder text = new StringBuilder();
    text.append(recipe.tunnel()).append(" on ").append(recipe.platform().title()).append('\n');
    text.append(page.text());
    for (Remark remark : recipe.remarks()) {
      String mark =
          switch (remark.weight()) {
            case FAILS -> "✗ ";
            case WARNING -> "! ";
            case NOTE -> "- ";
          };
      List<String> lines =
          Page.wrapped(Page.harmless(remark.text()), Described.WIDTH - mark.length(), 0);
      for (int i = 0; i < lines.size(); i++) {
        text.append(i == 0 ? mark : "  ").append(lines.get(i)).append('\n');
      }
    }
    return text.toString();
  }

  /** Each file behind its name, as head(1) marks several. */
  private static String files(Recipe recipe) {
    return recipe.files().stream()
        .map(file -> "==> " + file.name() + " <==\n" + file.text())
        .collect(Collectors.joining());
  }

  private static Map<String, Object> json(
      Recipe recipe, Optional<Granted> granted, List<String> written) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", recipe.works());
    answer.put("tunnel", recipe.tunnel());
    answer.put("for", recipe.platform().word());
    answer.put("through", strings(recipe.through()));
    answer.put("missing", strings(recipe.missing()));
    granted.ifPresent(g -> put(answer, g));
    answer.put(
        "remarks",
        recipe.remarks().stream()
            .map(remark -> {
              Map<String, String> one = new LinkedHashMap<>();
              one.put("weight", remark.weight().name().toLowerCase(Locale.ROOT));
              one.put("text", remark.text());
              return one;
            })
            .toList());
    answer.put("placeholders", recipe.placeholders());
    answer.put(
        "files",
        recipe.files().stream()
            .map(file -> {
              Map<String, String> one = new LinkedHashMap<>();
              one.put("name", file.name());
              one.put("text", file.text());
              return one;
            })
            .toList());
    answer.put("written", written);
    return answer;
  }

  private static List<String> strings(List<?> values) {
    return values.stream().map(Object::toString).toList();
  }

  private static String list(List<?> values) {
    return String.join(", ", strings(values));
  }
}
