"""Print "passed failed skipped" of a JUnit report, then a line for each test that
failed, with the beginning of the reason."""

import sys
import xml.etree.ElementTree

passed = skipped = 0
failures = []
for case in xml.etree.ElementTree.parse(sys.argv[1]).iter("testcase"):
    reason = next((child for child in case
                   if child.tag in ("failure", "error", "skipped")), None)
    if reason is None:
        passed += 1
    elif reason.tag != "skipped":
        said = reason.get("message", "").partition("\n")[0][:300]
        failures.append(f"{case.get('classname')}::{case.get('name')}: {said}")
    elif reason.get("type") != "pytest.xfail":
        # That one is known, written down, and would fail the run if it passed.
        skipped += 1
print(passed, len(failures), skipped)
for line in failures:
    print(line)
