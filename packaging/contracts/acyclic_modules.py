"""An import-linter contract: no module imports itself, directly or through other modules.

import-linter's own `acyclic_siblings` compares packages, and forbids two packages whose modules import each other even
where no single module is part of a cycle. This contract looks at single modules. Imports inside functions and for type
checking count too.
"""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import cast

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class AcyclicModules(Contract):
    """Forbids import cycles in `packages`, an option that lists top-level packages."""

    packages = fields.ListField(subfield=fields.StringField())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        packages = cast("list[str]", self.packages)  # import-linter sets the field to the parsed list
        cycle = find_cycle(graph, tuple(packages))
        return ContractCheck(kept=not cycle, metadata={"cycle": cycle})

    def render_broken_contract(self, check: ContractCheck) -> None:
        output.print_error(" -> ".join(check.metadata["cycle"]))


def find_cycle(graph: ImportGraph, packages: tuple[str, ...]) -> list[str]:
    """Modules of one cycle in `packages`, the first repeated at the end; empty if there is none.

    A package's `__init__` counts only with what it imports itself.
    """
    modules = {name for name in graph.modules if name.split(".")[0] in packages}
    imports = {name: graph.find_modules_directly_imported_by(name) & modules for name in modules}
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return [str(name) for name in reversed(error.args[1])]
    return []
