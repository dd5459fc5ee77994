// What the trackers tracked, for you to see. It is kept when the page goes, as what they track must be.
const said = () => JSON.parse(localStorage.said ?? "[]");

export function say(tracker, event_type, event_id) {
  const event = { time: new Date().toISOString(), page: location.search, tracker, event_type, event_id };
  localStorage.said = JSON.stringify([...said(), event]);
  list();
}

export function list() {
  const table = document.getElementById("said");
  table.replaceChildren();
  for (const event of said().slice(-50).reverse()) {
    const row = table.insertRow();
    const time = event.time.slice(11, 23); // of day, in UTC; the date would take the room
    Object.values({ ...event, time }).forEach((text) => (row.insertCell().textContent = text));
  }
}
