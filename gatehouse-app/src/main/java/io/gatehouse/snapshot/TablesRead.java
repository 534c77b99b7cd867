package io.gatehouse.snapshot;

import io.gatehouse.ruleset.Table;
import java.util.List;

/** Tables of a firewall, whoever wrote them, and what is to be said about them. */
record TablesRead(List<Table> tables, List<Remark> remarks) {
  TablesRead {
    tables = List.copyOf(tables);
    remarks = List.copyOf(remarks);
  }
}
