// Shows the agent's page anew once no image of its versions is being checked any more.
const PAUSES = [1000, 2000, 3000, 5000]; // ms; the last one goes on

async function checking() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return true;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("[data-checking]") !== null;
}

async function watch(turn = 0) {
  await new Promise((resume) => setTimeout(resume, PAUSES[Math.min(turn, PAUSES.length - 1)]));
  const still = document.hidden || (await checking().catch(() => true));
  if (still) watch(turn + 1);
  else location.reload();
}

watch();
