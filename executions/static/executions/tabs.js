// The parts of a run behind tabs (WAI-ARIA tabs pattern: arrows move, one is chosen). Without scripts all are shown.

/** Tabs over the panels that `list`'s buttons name. `choose(name)` selects; `offer(name)` shows a tab that was hidden. */
export class Tabs {
  constructor(list) {
    this.list = list;
    this.touched = false;
    list.addEventListener("click", (event) => {
      const tab = event.target.closest("[role=tab]");
      if (!tab) return;
      this.touched = true;
      this.choose(name(tab));
    });
    list.addEventListener("keydown", (event) => this.key(event));
  }

  get tabs() {
    return [...this.list.querySelectorAll("[role=tab]")].filter((tab) => !tab.hidden);
  }

  key(event) {
    const tabs = this.tabs;
    const at = tabs.indexOf(document.activeElement);
    const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 };
    if (at < 0 || !(event.key in steps)) return;
    event.preventDefault();
    this.touched = true;
    const next = tabs[(steps[event.key] + tabs.length) % tabs.length];
    this.choose(name(next));
    next.focus();
  }

  offer(wanted) {
    document.getElementById(`tab-${wanted}`).hidden = false;
    const panel = document.getElementById(`panel-${wanted}`);
    panel.setAttribute("role", "tabpanel");
    panel.setAttribute("aria-labelledby", `tab-${wanted}`);
  }

  choose(wanted) {
    for (const tab of this.tabs) {
      const chosen = name(tab) === wanted;
      tab.setAttribute("aria-selected", String(chosen));
      tab.tabIndex = chosen ? 0 : -1;
      document.getElementById(tab.getAttribute("aria-controls")).hidden = !chosen;
    }
    document.dispatchEvent(new CustomEvent("tab:chosen", { detail: wanted }));
  }
}

function name(tab) {
  return tab.id.slice("tab-".length);
}
