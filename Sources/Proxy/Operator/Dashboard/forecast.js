// What the month will cost, if it goes on as it has begun. Nothing but a straight line, and the page says so.

const day = 86_400_000;
const least = 1;

/** `days`: the ledger's, in UTC. Null when the month is too young. Costs that are not known are in no sum. */
export function forecast(days, now = new Date()) {
	const start = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
	const length = (Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1) - start) / day;
	const elapsed = (now.getTime() - start) / day;
	const month = days.filter((row) => Date.parse(`${row.day}T00:00:00Z`) >= start);
	const sum = (column) => month.reduce((total, row) => total + (row[column] ?? 0), 0);
	const spent = sum("cost_nano_usd");
	return { spent, elapsed, length, unknown: sum("unknown_cost"), estimate: elapsed < least ? null : Math.round((spent / elapsed) * length) };
}
