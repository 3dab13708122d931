// Before the first paint: the theme that was chosen here, if one was. What the system prefers needs no script.
{
  const chosen = localStorage.getItem("headrace.theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
}
