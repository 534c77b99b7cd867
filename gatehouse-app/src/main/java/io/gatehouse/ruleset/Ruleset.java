package io.gatehouse.ruleset;

import io.gatehouse.model.Numbers;
import java.util.List;

/**
 * Everything that a description asks of the kernel, as one value: what is proved, shown, compared,
 * applied, journalled and read back.
 *
 * @param gateway the description's name
 * @param sysctls in the order of writing
 */
public record Ruleset(
    String gateway,
    List<Table> tables,
    List<XfrmPolicy> backstop,
    List<Routing.Policy> rules,
    List<Routing.Route> routes,
    List<Routing.ProxyNeighbour> neighbours,
    List<Sysctl> sysctls,
    Numbers numbers) {
  public Ruleset {
    tables = List.copyOf(tables);
    backstop = List.copyOf(backstop);
    rules = List.copyOf(rules);
    routes = List.copyOf(routes);
    neighbours = List.copyOf(neighbours);
    sysctls = List.copyOf(sysctls);
  }

  /** The same with other tables. */
  public Ruleset withTables(List<Table> others) {
    return new Ruleset(gateway, others, backstop, rules, routes, neighbours, sysctls, numbers);
  }

  public int ruleCount() {
    return tables.stream().mapToInt(Table::ruleCount).sum();
  }
}
