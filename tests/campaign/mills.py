# SPDX-License-Identifier: Apache-2.0
"""Makes the coefficients of libkbreplay/src/number/functions.h for gelu: (1 + a) M(a) as a polynomial in
u = (a - C) / (a + C), where M(a) = (1 - Phi(a)) / phi(a) is Mills' ratio, by Chebyshev interpolation with 160
digits. Prints them from the highest power down, and the last Chebyshev coefficient, which bounds the error.
"""
from decimal import Decimal, getcontext

getcontext().prec = 160
EPSILON = Decimal(10) ** -150
C, LOW, HIGH, DEGREE = Decimal(4), Decimal("0.375"), Decimal("14.5"), 22


def cosine(x):
    total = term = Decimal(1)
    n = 0
    while abs(term) > EPSILON:
        n += 2
        term = -term * x * x / (n * (n - 1))
        total += term
    return total


def arctangent_of_inverse(n):
    total = term = Decimal(1) / n
    k = 1
    while abs(term) > EPSILON:
        k += 2
        term = -term / (n * n)
        total += term / k
    return total


PI = 16 * arctangent_of_inverse(5) - 4 * arctangent_of_inverse(239)


def mills(a):
    """Phi(a) - 1/2 is phi(a) times a series of positive terms."""
    total = term = a
    n = 1
    while term > total * EPSILON:
        n += 2
        term = term * a * a / n
        total += term
    density = (-(a * a) / 2).exp() / (2 * PI).sqrt()
    return Decimal("0.5") / density - total


def main():
    low, high = (LOW - C) / (LOW + C), (HIGH - C) / (HIGH + C)
    middle, half = (high + low) / 2, (high - low) / 2
    count = DEGREE + 1
    nodes = [cosine(PI * (2 * k + 1) / (2 * count)) for k in range(count)]
    places = [C * (1 + u) / (1 - u) for u in (middle + half * x for x in nodes)]
    values = [(1 + a) * mills(a) for a in places]
    # Chebyshev polynomials at the nodes, and as coefficients of powers of u, by the same recurrence.
    before, now = [Decimal(1)] * count, nodes
    power_before, power = [Decimal(1)], [-middle / half, 1 / half]
    result = [Decimal(0)] * count
    result[0] = weight = sum(values) / count
    for _ in range(DEGREE):
        weight = 2 * sum(v * t for v, t in zip(values, now)) / count
        for i, p in enumerate(power):
            result[i] += weight * p
        before, now = now, [2 * x * t - b for x, t, b in zip(nodes, now, before)]
        following = [Decimal(0)] * (len(power) + 1)
        for i, p in enumerate(power):
            following[i + 1] += 2 * p / half
            following[i] -= 2 * p * middle / half
        for i, p in enumerate(power_before):
            following[i] -= p
        power_before, power = power, following
    print(", ".join(float(p).hex() for p in reversed(result)))
    print(f"last Chebyshev coefficient: {weight:.1e}")


main()
