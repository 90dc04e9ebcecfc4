"""How robust is a VAE that someone already trained? Numbers that survive the strongest attack, and flags.

The order of an audit, a file each:

- `probe`: what was understood of the model, and how long the audit will take.
- `suite`: the table of attacks, each an objective, a budget and a solver.
- `subject`: the model, its pairs, and the one place where images are judged by what the model makes of them.
- `whitebox`, `controls`, `search`: images found with gradients, without the model, and without gradients; `steady`
  makes a random model a function, `gather` does it all.
- `flags`: signs of false robustness, each with its rule, its figure and a sentence what to do.
- `verdict`: the worst case over all images: curve, f50, amplification, beside what no model sets.
- `record` and `write`: the JSON document. `audit`: all of it in one call.
"""

from seatbelt_vae.audits.audit import Audit, audit
from seatbelt_vae.audits.flags import Flag
from seatbelt_vae.audits.probe import Probe
from seatbelt_vae.audits.record import AuditRecord

__all__ = ["Audit", "AuditRecord", "Flag", "Probe", "audit"]
