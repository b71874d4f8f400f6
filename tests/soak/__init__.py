"""Steady load with faults, stops and kills, for as long as one likes."""
